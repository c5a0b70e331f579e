"""Computer-graphics people with exact labels: bodies, clothes, rooms, light, camera, shards.

The way of a picture: ``scene`` draws the lots (who, in what pose and clothes, seen how), the
rooms below it turn each choice into meshes, ``raster`` into pixels, ``sensor`` into a photo, and
``shards`` into files. Lengths are metres, the world's z is up, and a person in rest pose faces -y
with the own left towards +x.
"""
