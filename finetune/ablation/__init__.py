"""What each part of the training recipe brings: one change at a time, measured on rows never trained on."""
