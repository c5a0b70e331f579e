"""Training of bodypix models: labelling with teachers, networks, losses, evaluation and export.

Needs the ``train`` extra (torch). ``bodypix`` itself never imports this package.
"""
