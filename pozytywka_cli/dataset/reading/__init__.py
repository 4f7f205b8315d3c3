"""Read files of many containers and dialects into typed tables; no line is lost."""
