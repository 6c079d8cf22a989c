"""Captioners of transformers: complete directories in the real formats, with random weights."""

from pathlib import Path

import torch

WORDS = ["a", "dog", "cat", "on", "bench", "red", "bus", "street", "two", "man", ".", ","]
VIT = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32}
VIT |= {"intermediate_size": 32, "patch_size": 16}


def write_vit_gpt2(folder: Path) -> Path:
    """A VisionEncoderDecoderModel directory, like the study's captioner."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        GenerationConfig,
        GPT2Config,
        PreTrainedTokenizerFast,
        VisionEncoderDecoderConfig,
        VisionEncoderDecoderModel,
        ViTConfig,
        ViTImageProcessor,
    )

    end, ids = "<|endoftext|>", {"bos_token_id": 0, "eos_token_id": 0}
    words = {word: i for i, word in enumerate([end, "[UNK]", *WORDS])}
    decoder = GPT2Config(
        vocab_size=len(words), n_positions=64, n_embd=16, n_layer=1, n_head=2,
        add_cross_attention=True, is_decoder=True, **ids,
    )  # fmt: skip
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(ViTConfig(**VIT), decoder)
    torch.manual_seed(0)
    model = VisionEncoderDecoderModel(config=config)
    ids |= {"decoder_start_token_id": 0, "pad_token_id": 0}
    model.generation_config = GenerationConfig(**ids)
    model.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    names = dict.fromkeys(("bos_token", "eos_token", "pad_token"), end) | {"unk_token": "[UNK]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def write_blip(folder: Path) -> Path:
    """A BLIP directory."""
    from transformers import (
        BertTokenizer,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
    )

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    text = {"vocab_size": len(words), "hidden_size": 16, "encoder_hidden_size": 16}
    text |= {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    text |= {"bos_token_id": 2, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0}
    wide = {"projection_dim": 16, "image_text_hidden_size": 16}
    torch.manual_seed(0)
    config = BlipConfig(text_config=text, vision_config=VIT, **wide)
    BlipForConditionalGeneration(config).save_pretrained(folder)
    BlipProcessor(
        BlipImageProcessor(size={"height": 32, "width": 32}),
        BertTokenizer(vocab={word: i for i, word in enumerate(words)}),
    ).save_pretrained(folder)
    return folder
