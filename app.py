"""The WSGI entry (`gunicorn 'app:create_app()'`) and the command line (`python app.py`)."""

from kiosque import create_app

__all__ = ["create_app"]

if __name__ == "__main__":
    from kiosque.cli import main  # a server needs none of it

    main()
