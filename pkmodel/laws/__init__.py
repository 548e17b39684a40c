"""What can happen: pure functions of floats and arrays that know no drug, no patient and no file."""
