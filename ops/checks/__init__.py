"""The checks of a release: asked over HTTP, judged, reported. The same in the gate's Job and in the shell."""
