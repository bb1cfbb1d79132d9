"""How a recognised piece of text is cut further, one function per `Reader`."""
