"""The WSGI entry (`gunicorn 'app:create_app()'`) and the command line (`python app.py`)."""

from kiosque import create_app
from kiosque.cli import main

__all__ = ["create_app"]

if __name__ == "__main__":
    main()
