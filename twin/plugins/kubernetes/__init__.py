"""The stand-in for the official `kubernetes` plugin, for machines that cannot download it.

Spoken to by the real engine over the real protocol; its yardstick are the recorded conversations under
`tests/plugins/wire`. It manages only the kinds listed in `kinds` and only clusters with the twin's mark.
"""
