using System.Diagnostics.CodeAnalysis;

namespace Forerun.Inference.Gguf;

/// <summary>How a tensor's elements are stored: ggml's numbers and names. Not all can be decoded, see
/// <see cref="TensorDecoder"/>.</summary>
[SuppressMessage("Naming", "CA1707", Justification = "The field's names.")]
public enum GgufTensorType
{
    /// <summary>32-bit float.</summary>
    F32 = 0,

    /// <summary>16-bit float.</summary>
    F16 = 1,

    /// <summary>4 bits, blocks of 32 with a scale.</summary>
    Q4_0 = 2,

    /// <summary>4 bits, blocks of 32 with a scale and a minimum.</summary>
    Q4_1 = 3,

    /// <summary>5 bits, blocks of 32 with a scale.</summary>
    Q5_0 = 6,

    /// <summary>5 bits, blocks of 32 with a scale and a minimum.</summary>
    Q5_1 = 7,

    /// <summary>8 bits, blocks of 32 with a scale.</summary>
    Q8_0 = 8,

    /// <summary>8 bits, blocks of 32 with a scale and a sum.</summary>
    Q8_1 = 9,

    /// <summary>2 bits, blocks of 256.</summary>
    Q2_K = 10,

    /// <summary>3 bits, blocks of 256.</summary>
    Q3_K = 11,

    /// <summary>4 bits, blocks of 256.</summary>
    Q4_K = 12,

    /// <summary>5 bits, blocks of 256.</summary>
    Q5_K = 13,

    /// <summary>6 bits, blocks of 256.</summary>
    Q6_K = 14,

    /// <summary>8 bits, blocks of 256.</summary>
    Q8_K = 15,

    /// <summary>About 2.06 bits, codebook.</summary>
    IQ2_XXS = 16,

    /// <summary>About 2.31 bits, codebook.</summary>
    IQ2_XS = 17,

    /// <summary>About 3.06 bits, codebook.</summary>
    IQ3_XXS = 18,

    /// <summary>About 1.56 bits, codebook.</summary>
    IQ1_S = 19,

    /// <summary>4 bits, non-linear values, blocks of 32.</summary>
    IQ4_NL = 20,

    /// <summary>About 3.44 bits, codebook.</summary>
    IQ3_S = 21,

    /// <summary>About 2.56 bits, codebook.</summary>
    IQ2_S = 22,

    /// <summary>4 bits, non-linear values, blocks of 256.</summary>
    IQ4_XS = 23,

    /// <summary>8-bit integer.</summary>
    I8 = 24,

    /// <summary>16-bit integer.</summary>
    I16 = 25,

    /// <summary>32-bit integer.</summary>
    I32 = 26,

    /// <summary>64-bit integer.</summary>
    I64 = 27,

    /// <summary>64-bit float.</summary>
    F64 = 28,

    /// <summary>About 1.75 bits, codebook.</summary>
    IQ1_M = 29,

    /// <summary>The upper 16 bits of a 32-bit float.</summary>
    BF16 = 30,

    /// <summary>Ternary, about 1.69 bits.</summary>
    TQ1_0 = 34,

    /// <summary>Ternary, about 2.06 bits.</summary>
    TQ2_0 = 35,

    /// <summary>4-bit floats with a shared power of two, blocks of 32.</summary>
    MXFP4 = 39,

    /// <summary>4-bit floats with shared 8-bit floats, blocks of 64.</summary>
    NVFP4 = 40,
}
