"""Every page of the portal and of the mock bank, in every state somebody may find it in.

Add a page to the site and the tests of accessibility fail until a state of it stands here:
a function that leads somebody to it and returns what they see.
"""
