"""What a command calls: one function a job."""
