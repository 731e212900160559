namespace Forerun.Inference.Exits;

/// <summary>What one exit has learned: a gated residual bottleneck. With z = hidden / rms(hidden), the exit's hidden state is
/// <c>z + bias + up · (silu(gate · z + gateBias) * (down · z))</c>. Immutable.</summary>
public sealed record ExitAdapter
{
    /// <summary>Number of layers run when the exit looks, 1 … layers - 1.</summary>
    public required int Layer { get; init; }

    /// <summary>Bottleneck size r, a multiple of 32.</summary>
    public required int Rank { get; init; }

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
    public int ParameterCount => Down.Length + Gate.Length + GateBias.Length + Up.Length + Bias.Length;
}
