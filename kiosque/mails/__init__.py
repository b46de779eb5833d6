"""What a mail says, and how it leaves.

It may import `papers` and what is below. The way in: `delivery.deliver()`, called by the timer;
`rendering` turns a row of the outbox into a message.
"""
