"""What both sides mean by the same words: settings, checks, migration plan. No Pulumi, no input or output."""
