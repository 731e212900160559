using System.Collections.Immutable;
using Forerun.Inference.Safetensors;

namespace Forerun.Training;

/// <summary>A replayed round.</summary>
/// <param name="Sampling">The prompt it belongs to: index into the held-out prompts.</param>
/// <param name="BasePosition">Absolute position of the first draft token.</param>
/// <param name="Draft">Draft tokens.</param>
/// <param name="AcceptedCount">The verdict's accepted count.</param>
/// <param name="TargetTokens">The target's own token of each row, <c>[draftLength + 1]</c>.</param>
internal sealed record HeldOutRound(
    int Sampling, int BasePosition, ImmutableArray<int> Draft, int AcceptedCount, ImmutableArray<int> TargetTokens)
{
    /// <summary>The verdict's next token.</summary>
    public int NextToken => TargetTokens[AcceptedCount];
}

/// <summary>Rounds and the hidden states of their rows: round i has rows i · (γ + 1) …. Immutable once read.</summary>
/// <param name="Rounds">The rounds.</param>
/// <param name="Layers">Numbers of layers run.</param>
/// <param name="Hidden">Per layer <c>[rounds, γ + 1, hiddenSize]</c>.</param>
/// <param name="HiddenSize">Elements of a row.</param>
/// <param name="RowsPerRound">γ + 1.</param>
internal sealed record HeldOutRounds(
    ImmutableArray<HeldOutRound> Rounds, ImmutableArray<int> Layers, Half[][] Hidden, int HiddenSize, int RowsPerRound)
{
    /// <summary>Hidden states of a round's rows.</summary>
    public void Copy(int layer, int round, Span<float> destination)
    {
        var rows = Rounds[round].Draft.Length + 1;
        System.Numerics.Tensors.TensorPrimitives.ConvertToSingle(
            Hidden[Layers.IndexOf(layer)].AsSpan(round * RowsPerRound * HiddenSize, rows * HiddenSize), destination);
    }

    /// <summary>Writes the rounds.</summary>
    public void Write(string path, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var width = 4 + (2 * RowsPerRound);
        var numbers = new int[Rounds.Length * width];
        for (var i = 0; i < Rounds.Length; i++)
        {
            var round = Rounds[i];
            var row = numbers.AsSpan(i * width, width);
            (row[0], row[1], row[2], row[3]) = (round.Sampling, round.BasePosition, round.Draft.Length, round.AcceptedCount);
            round.Draft.CopyTo(row[4..]);
            round.TargetTokens.CopyTo(row[(4 + RowsPerRound)..]);
        }

        List<SafetensorsTensor> tensors = [SafetensorsTensor.Of("rounds", [Rounds.Length, width], numbers)];
        for (var i = 0; i < Layers.Length; i++)
        {
            tensors.Add(SafetensorsTensor.Of($"hidden.{Layers[i]}", [Rounds.Length, RowsPerRound, HiddenSize], Hidden[i]));
        }

        SafetensorsWriter.Write(path, metadata, tensors);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static HeldOutRounds Read(SafetensorsFile file, ImmutableArray<int> layers, int hiddenSize, int rowsPerRound)
    {
        var width = 4 + (2 * rowsPerRound);
        var tensor = file.Tensor("rounds", SafetensorsType.I32, -1, width);
        var rounds = ImmutableArray.CreateBuilder<HeldOutRound>();
        for (var i = 0; i < tensor.Shape[0]; i++)
        {
            var row = tensor.Values<int>().Slice(i * width, width);
            if (row[2] < 0 || row[2] >= rowsPerRound || row[3] < 0 || row[3] > row[2])
            {
                throw file.Damaged($"round {i} has {row[2]} draft tokens, {row[3]} accepted");
            }

            rounds.Add(new HeldOutRound(
                row[0], row[1], [.. row.Slice(4, row[2])], row[3], [.. row.Slice(4 + rowsPerRound, row[2] + 1)]));
        }

        var hidden = layers.Select(layer => file
            .Tensor($"hidden.{layer}", SafetensorsType.F16, tensor.Shape[0], rowsPerRound, hiddenSize).Values<Half>().ToArray());
        return new HeldOutRounds(rounds.ToImmutable(), layers, [.. hidden], hiddenSize, rowsPerRound);
    }
}
