"""How the bundled model in `checkpoints/tiny` is trained and measured.

In reading order: `photo_pack` (a data folder as arrays), `crops`, `batches`, `joint_model`,
`training` (the loop of all three trainings), `joint_stage` and `text_stage` (the backbone),
`heads` (on the frozen backbone), `train_backbone`; then `caption_data` and `train_captioner`; and
`measure` and `measure_captions`.
"""
