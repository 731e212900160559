namespace Forerun.Inference.Exits;

/// <summary>What one exit has learned: a gated residual bottleneck. With z = hidden / rms(hidden), the exit's hidden state is
/// <c>z + bias + up · (silu(gate · x + gateBias) * (down · x))</c>, where <c>x = scale * z</c>. Immutable.</summary>
/// <remarks>A few elements of a hidden state are many times larger than the others. The scale evens them out, so that
/// rounding x to 8 bits per 32 elements keeps all of them.</remarks>
public sealed record ExitAdapter
{
    /// <summary>Number of layers run when the exit looks, 1 … layers - 1.</summary>
    public required int Layer { get; init; }

    /// <summary>Bottleneck size r, a multiple of 32.</summary>
    public required int Rank { get; init; }

    /// <summary>Positive, <c>[hiddenSize]</c>.</summary>
    public required float[] Scale { get; init; }

    /// <summary><c>[rank, hiddenSize]</c>.</summary>
    public required float[] Down { get; init; }

    /// <summary><c>[rank, hiddenSize]</c>.</summary>
    public required float[] Gate { get; init; }

    /// <summary><c>[rank]</c>.</summary>
    public required float[] GateBias { get; init; }

    /// <summary><c>[hiddenSize, rank]</c>.</summary>
    public required float[] Up { get; init; }

    /// <summary><c>[hiddenSize]</c>.</summary>
    public required float[] Bias { get; init; }

    /// <summary>Calibration at temperature 0.</summary>
    public ExitCalibration Greedy { get; init; } = ExitCalibration.Default;

    /// <summary>Calibration above temperature 0.</summary>
    public ExitCalibration Sampled { get; init; } = ExitCalibration.Default;

    /// <summary>Trained numbers.</summary>
    public int ParameterCount => Scale.Length + Down.Length + Gate.Length + GateBias.Length + Up.Length + Bias.Length;
}
