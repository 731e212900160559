using System.Collections.Immutable;
using System.Numerics.Tensors;
using Forerun.Inference;
using Forerun.Inference.Exits;
using Forerun.Inference.Safetensors;

namespace Forerun.Training;

/// <summary>All rows of the training text in memory, and the target's probabilities over the shortlist. Immutable once made;
/// thread-safe.</summary>
internal sealed class TrainingSet
{
    private readonly SafetensorsFile[] _shards;
    private readonly (int Shard, int Row)[] _rows;
    private readonly float[] _targetHead;
    private readonly int _hiddenSize;
    private readonly int _numHiddenLayers;

    /// <summary>Opens shards of a target's text.</summary>
    public TrainingSet(LanguageModel target, IEnumerable<string> shards, int shortlistSize)
    {
        _shards = [.. shards.Select(SafetensorsFile.Open)];
        _hiddenSize = target.Config.HiddenSize;
        _numHiddenLayers = target.Config.NumHiddenLayers;
        _rows = [.. _shards.SelectMany((file, shard) => Enumerable.Range(0, Tokens(file).Length).Select(row => (shard, row)))];
        var counts = new int[target.Config.VocabSize];
        foreach (var token in _shards.SelectMany(file => Tokens(file).ToArray()))
        {
            counts[token]++;
        }

        Shortlist = [.. Enumerable.Range(0, counts.Length)
            .OrderByDescending(token => counts[token]).ThenBy(token => token)
            .Take(shortlistSize).Order()];
        Coverage = Shortlist.Sum(token => (double)counts[token]) / _rows.Length;
        _targetHead = Normed(target, ExitHeads.HeadRows(target, Shortlist));
        Head = Normed(target, ExitHeads.ShortlistRows(target, Shortlist));
    }

    /// <summary>Rows.</summary>
    public int Count => _rows.Length;

    /// <summary>The most frequent tokens of the text, ascending.</summary>
    public ImmutableArray<int> Shortlist { get; }

    /// <summary>Share of the text's tokens that the shortlist holds.</summary>
    public double Coverage { get; }

    /// <summary>The head's rows of the shortlist as exits have them, times the final norm's weight,
    /// <c>[shortlist, hiddenSize]</c>.</summary>
    public float[] Head { get; }

    /// <summary>Elements of a row.</summary>
    public int HiddenSize => _hiddenSize;

    /// <summary>Copies rows, <c>[rows, hiddenSize]</c>.</summary>
    /// <param name="layer">Layers run; the model's number of layers for the final state.</param>
    /// <param name="rows">Which rows.</param>
    /// <param name="destination">Receives them.</param>
    public void Copy(int layer, ReadOnlySpan<int> rows, Span<float> destination)
    {
        var name = $"hidden.{layer}";
        for (var i = 0; i < rows.Length; i++)
        {
            var (shard, row) = _rows[rows[i]];
            var values = _shards[shard].Tensors[name].Values<Half>().Slice(row * _hiddenSize, _hiddenSize);
            TensorPrimitives.ConvertToSingle(values, destination.Slice(i * _hiddenSize, _hiddenSize));
        }
    }

    /// <summary>Root mean square of each element over some rows, <c>[hiddenSize]</c>, never 0.</summary>
    public float[] Spread(int layer)
    {
        int[] rows = [.. Enumerable.Range(0, Math.Min(Count, 4096))];
        var values = new float[rows.Length * _hiddenSize];
        Copy(layer, rows, values);
        var squares = new float[_hiddenSize];
        for (var row = 0; row < rows.Length; row++)
        {
            var x = values.AsSpan(row * _hiddenSize, _hiddenSize);
            TensorPrimitives.MultiplyAdd(x, x, squares, squares);
        }

        return Array.ConvertAll(squares, sum => MathF.Sqrt(Math.Max(sum / rows.Length, 1e-8f)));
    }

    /// <summary>The target's probabilities over the shortlist, <c>[rows, shortlist]</c>.</summary>
    public void Probabilities(Gemm gemm, int[] rows, float[] final, float[] destination)
    {
        Copy(_numHiddenLayers, rows, final);
        gemm.Multiply(final, _targetHead, destination, rows.Length, Shortlist.Length, _hiddenSize);
        for (var i = 0; i < rows.Length; i++)
        {
            var row = destination.AsSpan(i * Shortlist.Length, Shortlist.Length);
            TensorPrimitives.SoftMax<float>(row, row);
        }
    }

    private static ReadOnlySpan<int> Tokens(SafetensorsFile file) => file.Tensors["tokens"].Values<int>();

    /// <summary>Rows of the head, each times the final norm's weight.</summary>
    private static unsafe float[] Normed(LanguageModel target, float[] head)
    {
        var size = target.Config.HiddenSize;
        var norm = new ReadOnlySpan<float>(target.Weights.FinalNorm.Floats, size);
        for (var row = 0; row < head.Length; row += size)
        {
            TensorPrimitives.Multiply(head.AsSpan(row, size), norm, head.AsSpan(row, size));
        }

        return head;
    }
}
