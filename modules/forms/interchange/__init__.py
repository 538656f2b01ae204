"""Forms of other programs: XForm XML and XLSForm workbooks in and out, FormSG's public JSON in. Qt-free; nothing is executed.

``taking`` finds out what a file is and reads it; ``xml`` reads XML within bounds; ``xform`` is both ways of the XForm;
``workbook`` turns an XLSForm into an XForm in a process of its own, ``sheets`` writes one; ``formsg`` reads FormSG.
"""
