"""Pre-training and fine-tuning of a Kronos on bars."""
