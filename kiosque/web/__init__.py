"""The families' pages: views, forms, and what surrounds each request.

It may import every room but `checkup` and `cli`. The way in: `views.init_app()`, called by
`kiosque.create_app`; `access` alone says who may see what.
"""
