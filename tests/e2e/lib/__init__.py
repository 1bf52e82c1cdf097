"""What the end-to-end tests share: the demo, the test card, screens and clients."""
