"""What was measured, as data and as pages: report.json, report.html, JUnit XML, Markdown."""
