"""What several tests share: solvers of their own, invented sweeps, students' mistakes, readers of pages."""
