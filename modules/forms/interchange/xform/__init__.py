"""The XForm of ODK: ``reading`` makes the model of it, ``writing`` writes it; what is read from the written form is the same model.

What an XForm says and the model has no name for (attributes of other namespaces, unknown elements) is kept and written again.
What the model says and an XForm cannot is written as one attribute ``sala:patch`` of the model element.
"""
