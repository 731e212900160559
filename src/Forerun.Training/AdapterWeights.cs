using Forerun.Inference.Exits;

namespace Forerun.Training;

/// <summary>The trained numbers of one exit, or something per number: a gradient, a moment.</summary>
/// <param name="Rank">Bottleneck size.</param>
/// <param name="HiddenSize">Elements of a hidden state.</param>
internal sealed record AdapterWeights(int Rank, int HiddenSize)
{
    /// <summary><c>[rank, hiddenSize]</c>.</summary>
    public float[] Down { get; init; } = new float[Rank * HiddenSize];

    /// <summary><c>[rank, hiddenSize]</c>.</summary>
    public float[] Gate { get; init; } = new float[Rank * HiddenSize];

    /// <summary><c>[rank]</c>.</summary>
    public float[] GateBias { get; init; } = new float[Rank];

    /// <summary><c>[hiddenSize, rank]</c>.</summary>
    public float[] Up { get; init; } = new float[Rank * HiddenSize];

    /// <summary><c>[hiddenSize]</c>.</summary>
    public float[] Bias { get; init; } = new float[HiddenSize];

    /// <summary>All arrays, in one order.</summary>
    public float[][] All => [Down, Gate, GateBias, Up, Bias];

    /// <summary>A copy with arrays of its own.</summary>
    public AdapterWeights Copy() => new(Rank, HiddenSize)
    {
        Down = [.. Down],
        Gate = [.. Gate],
        GateBias = [.. GateBias],
        Up = [.. Up],
        Bias = [.. Bias],
    };

    /// <summary>As an exit of a file.</summary>
    /// <param name="layer">Number of layers run.</param>
    /// <param name="spread">Root mean square of each input element, <c>[hiddenSize]</c>: taken out of the input and put into
    /// the weights.</param>
    public ExitAdapter ToExit(int layer, float[] spread) => new()
    {
        Layer = layer,
        Rank = Rank,
        Scale = Array.ConvertAll(spread, value => 1f / value),
        Down = Scaled(Down, spread),
        Gate = Scaled(Gate, spread),
        GateBias = GateBias,
        Up = Up,
        Bias = Bias,
    };

    private static float[] Scaled(float[] matrix, float[] columns) =>
        [.. matrix.Select((value, i) => value * columns[i % columns.Length])];
}
