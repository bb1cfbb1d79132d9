"""`assay doctor`: what can keep a client's traffic from coming through, checked one by one; nothing is changed or repaired."""
