"""Deciding what to do: values in, values out.

Nothing here touches the network, files or the clock; time enters as an argument. The decision table of
the product is one function (`deciding.decide`), applied to stretches of dates that are alike.
"""
