"""The one definition model of forms, format 2: a superset of XForms and FormSG. Qt-free; nothing here is ever executed.

``form`` holds the dataclasses, ``types`` the registry of field types, ``reading`` the strict reader (format 1 comes in by
``first``), ``writing`` the one JSON and byte form, ``paths`` where a question stands, ``flaws`` what the schema cannot see,
``lint`` what an author should look at, ``changes`` what two versions differ in.
"""
