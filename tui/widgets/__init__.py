"""What the screens are made of: each widget draws a view it is given and knows no store, clock or setting."""
