"""Kiosque Famille: families pay their town's invoices online."""
