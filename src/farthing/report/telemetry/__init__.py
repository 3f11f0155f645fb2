"""Telemetry: what became of each query, told to an OpenTelemetry collector behind the journal."""
