"""Files that agents deposit in the browser, or that a program drops in a folder: kept, read, shown
to an agent, loaded once a person agrees.

`storing` keeps them, `archives` looks into those that hold others, `processing` reads and loads
them, `previews` keeps what was read, `inbox` takes the folder. The timer of each minute calls
`processing.run`; `storing.waiting` gives what waits for somebody.
"""
