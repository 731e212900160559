using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Forerun.Inference.Safetensors;

namespace Forerun.Training;

/// <summary>Hidden states of the target at some layers and after the last, each divided by its root mean square, in half
/// precision, and the target's own token of each row. Grows row by row; one user at a time.</summary>
/// <param name="layers">Numbers of layers run, ascending; the last is the model's number of layers.</param>
/// <param name="hiddenSize">Elements of a row.</param>
public sealed class HiddenRows(ImmutableArray<int> layers, int hiddenSize)
{
    private readonly List<Half>[] _rows = [.. layers.Select(_ => new List<Half>())];
    private readonly List<int> _tokens = [];

    /// <summary>Numbers of layers run, ascending.</summary>
    public ImmutableArray<int> Layers => layers;

    /// <summary>Elements of a row.</summary>
    public int HiddenSize => hiddenSize;

    /// <summary>Rows.</summary>
    public int Count => _tokens.Count;

    /// <summary>The target's token that follows each row, <c>[count]</c>.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>Adds rows of a pass at one of the layers, in the order in which their tokens are added.</summary>
    /// <param name="layer">Index into <see cref="Layers"/>.</param>
    /// <param name="hidden">The hidden states, <c>[hiddenSize]</c>.</param>
    public void AddHidden(int layer, ReadOnlySpan<float> hidden)
    {
        var inverse = 1f / MathF.Sqrt(MathF.Max(TensorPrimitives.SumOfSquares(hidden) / hidden.Length, 1e-30f));
        foreach (var value in hidden)
        {
            _rows[layer].Add((Half)(value * inverse));
        }
    }

    /// <summary>Adds a row's token.</summary>
    public void AddToken(int token) => _tokens.Add(token);

    /// <summary>All rows of a layer, <c>[rows, hiddenSize]</c>; valid until one is added.</summary>
    /// <param name="layer">Index into <see cref="Layers"/>.</param>
    public ReadOnlySpan<Half> Rows(int layer) => CollectionsMarshal.AsSpan(_rows[layer]);

    /// <summary>Writes a shard.</summary>
    public void Write(string path, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        List<SafetensorsTensor> tensors = [SafetensorsTensor.Of("tokens", [Count], [.. _tokens])];
        for (var i = 0; i < layers.Length; i++)
        {
            tensors.Add(SafetensorsTensor.Of($"hidden.{layers[i]}", [Count, hiddenSize], Rows(i)));
        }

        SafetensorsWriter.Write(path, metadata, tensors);
    }
}
