using System.Collections.Immutable;
using Forerun.Inference.Execution;
using Forerun.Inference.Weights;

namespace Forerun.Inference.Exits;

/// <summary>A target's exits, packed for its kernels, and the rows of its LM head for the shortlist, rounded to 4 bits unless
/// the target keeps its original weights. Immutable and thread-safe; the state of a computation is an <see cref="ExitScratch"/>.</summary>
public sealed class ExitHeads : IDisposable
{
    private readonly WeightArena _arena;

    /// <summary>Packs exits for their target, which must outlive them.</summary>
    /// <exception cref="InvalidDataException">They were trained for another target, or do not fit it.</exception>
    public ExitHeads(ExitFile file, LanguageModel target)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(target);
        Check(file, target);
        Target = target;
        Shortlist = file.Shortlist;
        Layers = [.. file.Exits.Select(exit => exit.Layer)];
        var format = target.ActivationFormat;
        var hiddenSize = file.HiddenSize;
        var shortlist = new MatrixLayout(ShortlistFormat(target), file.Shortlist.Length, hiddenSize);
        _arena = new WeightArena(
            shortlist.ArenaBytes
            + file.Exits.Sum(exit => (2 * Down(exit).ArenaBytes) + Up(exit).ArenaBytes));
        ShortlistHead = FloatPacker.Pack(HeadRows(target, file.Shortlist), shortlist, _arena);
        Exits = [.. file.Exits.Select(exit => new PackedExit(
            exit,
            Vector(exit.Scale),
            FloatPacker.Pack(exit.Down, Down(exit), _arena),
            FloatPacker.Pack(exit.Gate, Down(exit), _arena),
            Vector(exit.GateBias),
            FloatPacker.Pack(exit.Up, Up(exit), _arena),
            Vector(exit.Bias)))];
        Ones = Vector(Enumerable.Repeat(1f, hiddenSize).ToArray());
        MaxRank = file.Exits.Max(exit => exit.Rank);

        MatrixLayout Down(ExitAdapter exit) => new(format, exit.Rank, hiddenSize);

        MatrixLayout Up(ExitAdapter exit) => new(format, hiddenSize, exit.Rank);
    }

    /// <summary>Exit layers, ascending: numbers of layers run, for <see cref="ForwardPass.RunLayers"/>.</summary>
    public ImmutableArray<int> Layers { get; }

    /// <summary>Frequent tokens, ascending.</summary>
    public ImmutableArray<int> Shortlist { get; }

    /// <summary>Weights that one use of an exit reads, adapter and shortlist.</summary>
    /// <param name="exit">Index into <see cref="Layers"/>.</param>
    public long WeightBytes(int exit) =>
        ShortlistHead.Bytes + Exits[exit].Down.Bytes + Exits[exit].Gate.Bytes + Exits[exit].Up.Bytes;

    internal LanguageModel Target { get; }

    internal WeightMatrix ShortlistHead { get; }

    internal ImmutableArray<PackedExit> Exits { get; }

    internal NativeBuffer Ones { get; }

    internal int MaxRank { get; }

    /// <summary>Loads the exits of a target.</summary>
    /// <param name="path">An exit file.</param>
    /// <param name="target">The target it was trained for.</param>
    /// <param name="layers">Only these exits; empty = all of the file.</param>
    /// <exception cref="InvalidDataException">The file is damaged, made for another target, or lacks a layer.</exception>
    public static ExitHeads Load(string path, LanguageModel target, params ReadOnlySpan<int> layers) =>
        new(ExitFile.Open(path).Only(layers), target);

    /// <summary>Scratch for rounds of up to <paramref name="maxRows"/> rows and so many candidate tokens.</summary>
    public ExitScratch CreateScratch(int maxRows, int maxCandidates) => new(this, maxRows, maxCandidates);

    /// <summary>The LM head's rows of some tokens as an exit's shortlist has them, <c>[tokens, hiddenSize]</c>.</summary>
    internal static float[] ShortlistRows(LanguageModel target, ImmutableArray<int> tokens)
    {
        var rows = HeadRows(target, tokens);
        if (ShortlistFormat(target) == TileFormat.Q4Minimum)
        {
            FloatPacker.RoundToNibbles(rows);
        }

        return rows;
    }

    /// <summary>The LM head's rows of some tokens, <c>[tokens, hiddenSize]</c>.</summary>
    internal static float[] HeadRows(LanguageModel target, ImmutableArray<int> tokens)
    {
        var size = target.Config.HiddenSize;
        var rows = new float[tokens.Length * size];
        for (var i = 0; i < tokens.Length; i++)
        {
            target.Weights.HeadRow(tokens[i], rows.AsSpan(i * size, size));
        }

        return rows;
    }

    /// <summary>Frees the weights; scratches must not be used afterwards.</summary>
    public void Dispose()
    {
        foreach (var exit in Exits)
        {
            exit.Scale.Dispose();
            exit.GateBias.Dispose();
            exit.Bias.Dispose();
        }

        Ones.Dispose();
        _arena.Dispose();
    }

    private static void Check(ExitFile file, LanguageModel target)
    {
        var config = target.Config;
        if (file.TargetId != target.Id)
        {
            throw new InvalidDataException(
                $"The exits were trained for \"{file.TargetId}\", but the target is \"{target.Id}\". Use the exits of this target, or make them with train-exits.");
        }

        if (file.HiddenSize != config.HiddenSize || config.HeadRows != config.VocabSize
            || file.Shortlist[^1] >= config.VocabSize || file.Exits[^1].Layer >= config.NumHiddenLayers)
        {
            throw new InvalidDataException(
                $"The exits do not fit the target: hidden size {file.HiddenSize}, tokens to {file.Shortlist[^1]}, layers to {file.Exits[^1].Layer}; "
                + $"the target has hidden size {config.HiddenSize}, {config.HeadRows} of {config.VocabSize} tokens in its head, {config.NumHiddenLayers} layers. Train exits for it with train-exits.");
        }
    }

    /// <summary>Four bits a weight take half the time of eight, and exits lose nothing that can be measured.</summary>
    private static TileFormat ShortlistFormat(LanguageModel target) =>
        target.ActivationFormat == TileFormat.F32 ? TileFormat.F32 : TileFormat.Q4Minimum;

    private static unsafe NativeBuffer Vector(float[] values)
    {
        var vector = new NativeBuffer(4L * values.Length);
        values.CopyTo(new Span<float>(vector.Floats, values.Length));
        return vector;
    }
}

/// <summary>One exit in the kernels' layout.</summary>
internal sealed record PackedExit(
    ExitAdapter Adapter,
    NativeBuffer Scale,
    WeightMatrix Down,
    WeightMatrix Gate,
    NativeBuffer GateBias,
    WeightMatrix Up,
    NativeBuffer Bias);
