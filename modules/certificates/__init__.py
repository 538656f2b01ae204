"""Certificates: issue (KH1 credential on paper), check (everything offline), status, register.

Qt-free but for ``view/``. The format is public: ``docs/formats/kh1.md``. ``verdict.py`` holds numbers that never change.
"""
