"""The sans-IO core: bytes, time, entropy and the outcomes of effects go in; effects and events come out."""
