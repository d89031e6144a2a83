"""The web app: pages for one's own patients or one's own record, on this machine. No medicine stands here."""
