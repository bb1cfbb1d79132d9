"""`make chaos`: what may happen to a proxy happens to the real one, under load, and its promises are looked after."""
