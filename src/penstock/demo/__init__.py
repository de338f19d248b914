"""The demonstration: a small real package and scripted workstreams that show the main job."""
