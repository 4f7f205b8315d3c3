"""The model families: one folder for each question that is answered, behind one contract."""
