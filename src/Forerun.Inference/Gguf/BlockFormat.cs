namespace Forerun.Inference.Gguf;

/// <summary>The size of a tensor type's block, the smallest piece that stands alone.</summary>
/// <param name="Elements">Elements of one block; 1 for plain numbers.</param>
/// <param name="Bytes">Bytes of one block.</param>
public readonly record struct BlockFormat(int Elements, int Bytes)
{
    private static readonly Dictionary<GgufTensorType, BlockFormat> Formats = new()
    {
        [GgufTensorType.F32] = new(1, 4),
        [GgufTensorType.F16] = new(1, 2),
        [GgufTensorType.Q4_0] = new(32, 18),
        [GgufTensorType.Q4_1] = new(32, 20),
        [GgufTensorType.Q5_0] = new(32, 22),
        [GgufTensorType.Q5_1] = new(32, 24),
        [GgufTensorType.Q8_0] = new(32, 34),
        [GgufTensorType.Q8_1] = new(32, 36),
        [GgufTensorType.Q2_K] = new(256, 84),
        [GgufTensorType.Q3_K] = new(256, 110),
        [GgufTensorType.Q4_K] = new(256, 144),
        [GgufTensorType.Q5_K] = new(256, 176),
        [GgufTensorType.Q6_K] = new(256, 210),
        [GgufTensorType.Q8_K] = new(256, 292),
        [GgufTensorType.IQ2_XXS] = new(256, 66),
        [GgufTensorType.IQ2_XS] = new(256, 74),
        [GgufTensorType.IQ3_XXS] = new(256, 98),
        [GgufTensorType.IQ1_S] = new(256, 50),
        [GgufTensorType.IQ4_NL] = new(32, 18),
        [GgufTensorType.IQ3_S] = new(256, 110),
        [GgufTensorType.IQ2_S] = new(256, 82),
        [GgufTensorType.IQ4_XS] = new(256, 136),
        [GgufTensorType.I8] = new(1, 1),
        [GgufTensorType.I16] = new(1, 2),
        [GgufTensorType.I32] = new(1, 4),
        [GgufTensorType.I64] = new(1, 8),
        [GgufTensorType.F64] = new(1, 8),
        [GgufTensorType.IQ1_M] = new(256, 56),
        [GgufTensorType.BF16] = new(1, 2),
        [GgufTensorType.TQ1_0] = new(256, 54),
        [GgufTensorType.TQ2_0] = new(256, 66),
        [GgufTensorType.MXFP4] = new(32, 17),
        [GgufTensorType.NVFP4] = new(64, 36),
    };

    /// <summary>The block format of <paramref name="type"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is no ggml type.</exception>
    public static BlockFormat Of(GgufTensorType type) => Formats.TryGetValue(type, out var format)
        ? format
        : throw new ArgumentOutOfRangeException(nameof(type), type, "Expected the number of a ggml tensor type.");
}
