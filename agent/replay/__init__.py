"""An episode run again: in the same world, over what was recorded, or live from one of its ticks.

None of it is a mode of the loop: it is the same runtime, with recorded parts where there is no
world, and with the human's recorded words in any case.
"""
