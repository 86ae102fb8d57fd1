"""The boards and the host that speaks to them: frames, protocol, ports, emulators."""
