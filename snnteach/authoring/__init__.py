"""What authors and teachers run: notebooks, studies, the site, slides, the teacher's view."""
