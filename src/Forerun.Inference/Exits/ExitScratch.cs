using Forerun.Inference.Execution;
using Forerun.Inference.Kernels;
using Forerun.Inference.Weights;

namespace Forerun.Inference.Exits;

/// <summary>Computes exits on the caller's thread, beside a pass or between its stages. Allocates nothing after
/// construction. One caller at a time; scratches of the same heads may run side by side.</summary>
/// <remarks>A row's logits are the same bits whatever rows and candidates stand beside it. A shortlist token's logit is what
/// <see cref="ExitHeads"/>' rounded head gives for the exit's hidden state, a candidate's what the LM head gives.</remarks>
public sealed unsafe class ExitScratch : IDisposable
{
    private const int TileRows = WeightMatrix.TileRows;

    private readonly ExitHeads _heads;
    private readonly int _hiddenSize;
    private readonly int _maxRows;
    private readonly int[] _tokens;
    private readonly int[] _candidates;
    private readonly float[] _logits;
    private readonly NativeBuffer _states;
    private readonly NativeBuffer _updates;
    private readonly NativeBuffer _down;
    private readonly NativeBuffer _gate;
    private readonly NativeBuffer _activations;
    private readonly NativeBuffer _headOutput;
    private int _tokenCount;
    private int _candidateCount;
    private int _rowCount;

    internal ExitScratch(ExitHeads heads, int maxRows, int maxCandidates)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(maxCandidates);
        _heads = heads;
        _hiddenSize = heads.Target.Config.HiddenSize;
        _maxRows = maxRows;
        _candidates = new int[maxCandidates];
        _tokens = new int[heads.Shortlist.Length + maxCandidates];
        _logits = new float[maxRows * _tokens.Length];
        _states = new NativeBuffer(4L * maxRows * _hiddenSize);
        _updates = new NativeBuffer(4L * maxRows * _hiddenSize);
        _down = new NativeBuffer(4L * maxRows * heads.MaxRank);
        _gate = new NativeBuffer(4L * maxRows * heads.MaxRank);
        _activations = new NativeBuffer(
            heads.Target.ActivationKernel.ActivationBytes(maxRows, Math.Max(_hiddenSize, heads.MaxRank)));
        _headOutput = new NativeBuffer(4L * maxRows * HeadStride);
        SetCandidates([]);
    }

    /// <summary>The tokens that logits belong to, ascending: shortlist and candidates.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, _tokenCount);

    private int HeadStride => Math.Max(_heads.ShortlistHead.TileCount, 1) * TileRows;

    /// <summary>Adds a round's candidate tokens to the shortlist, in place of those before.</summary>
    /// <exception cref="ArgumentException">Too many, or outside the vocabulary.</exception>
    public void SetCandidates(ReadOnlySpan<int> candidates)
    {
        if (candidates.Length > _candidates.Length)
        {
            throw new ArgumentException(
                $"There is room for {_candidates.Length} candidate tokens, got {candidates.Length}.", nameof(candidates));
        }

        var shortlist = _heads.Shortlist.AsSpan();
        _candidateCount = 0;
        foreach (var token in candidates)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(
                (uint)token, (uint)_heads.Target.Config.VocabSize, nameof(candidates));
            if (shortlist.BinarySearch(token) < 0 && !_candidates.AsSpan(0, _candidateCount).Contains(token))
            {
                _candidates[_candidateCount++] = token;
            }
        }

        _candidates.AsSpan(0, _candidateCount).Sort();
        _tokenCount = 0;
        var next = 0;
        for (var i = 0; i <= _candidateCount; i++)
        {
            var end = i == _candidateCount ? shortlist.Length : ~shortlist.BinarySearch(_candidates[i]);
            shortlist[next..end].CopyTo(_tokens.AsSpan(_tokenCount));
            _tokenCount += end - next;
            next = end;
            if (i < _candidateCount)
            {
                _tokens[_tokenCount++] = _candidates[i];
            }
        }

        _rowCount = 0;
    }

    /// <summary>Computes an exit.</summary>
    /// <param name="exit">Index into <see cref="ExitHeads.Layers"/>.</param>
    /// <param name="hidden">The target's hidden states after that many layers, <c>[rows, hiddenSize]</c>.</param>
    public void Run(int exit, ReadOnlySpan<float> hidden)
    {
        var (rows, rest) = Math.DivRem(hidden.Length, _hiddenSize);
        if (rest != 0 || rows < 1 || rows > _maxRows)
        {
            throw new ArgumentException(
                $"An exit takes 1 to {_maxRows} rows of {_hiddenSize} hidden states, got {hidden.Length} numbers.", nameof(hidden));
        }

        _rowCount = rows;
        var groups = new RowGroups(rows, _heads.Target.Kernels.MaxRows);
        fixed (float* source = hidden)
        {
            Adapt(_heads.Exits[exit], source, rows, groups);
        }

        Multiply(_heads.ShortlistHead, groups, _headOutput.Floats, HeadStride, 0, _heads.ShortlistHead.TileCount);
        PlaceShortlist(rows);
        PlaceCandidates(rows, groups);
    }

    /// <summary>Logits of a row, one per token of <see cref="Tokens"/>; valid until the next call.</summary>
    public Span<float> Logits(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)_rowCount, nameof(row));
        return _logits.AsSpan(row * _tokens.Length, _tokenCount);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _states.Dispose();
        _updates.Dispose();
        _down.Dispose();
        _gate.Dispose();
        _activations.Dispose();
        _headOutput.Dispose();
    }

    /// <summary>Norm, adapter and final norm; leaves the activations for the head.</summary>
    private void Adapt(PackedExit exit, float* hidden, int rows, in RowGroups groups)
    {
        var kernel = _heads.Target.Kernels.Rows;
        var epsilon = _heads.Target.Config.RmsNormEps;
        var rank = exit.Adapter.Rank;
        for (var row = 0; row < rows; row++)
        {
            var offset = (long)row * _hiddenSize;
            kernel.RmsNorm(hidden + offset, _heads.Ones.Floats, _states.Floats + offset, _hiddenSize, epsilon);
            kernel.RmsNorm(hidden + offset, exit.Scale.Floats, _updates.Floats + offset, _hiddenSize, epsilon);
            Prepare(_updates.Floats + offset, _hiddenSize, groups, row);
        }

        Multiply(exit.Down, groups, _down.Floats, rank, 0, exit.Down.TileCount);
        Multiply(exit.Gate, groups, _gate.Floats, rank, 0, exit.Gate.TileCount);
        for (var row = 0; row < rows; row++)
        {
            var gate = _gate.Floats + ((long)row * rank);
            kernel.Add(gate, exit.GateBias.Floats, rank);
            kernel.SwiGlu(gate, _down.Floats + ((long)row * rank), rank);
            Prepare(gate, rank, groups, row);
        }

        Multiply(exit.Up, groups, _updates.Floats, _hiddenSize, 0, exit.Up.TileCount);
        for (var row = 0; row < rows; row++)
        {
            var state = _states.Floats + ((long)row * _hiddenSize);
            kernel.Add(state, _updates.Floats + ((long)row * _hiddenSize), _hiddenSize);
            kernel.Add(state, exit.Bias.Floats, _hiddenSize);
            kernel.RmsNorm(state, _heads.Target.Weights.FinalNorm.Floats, state, _hiddenSize, epsilon);
            Prepare(state, _hiddenSize, groups, row);
        }
    }

    private void PlaceShortlist(int rows)
    {
        var shortlist = _heads.Shortlist.AsSpan();
        for (var row = 0; row < rows; row++)
        {
            var source = new ReadOnlySpan<float>(_headOutput.Floats + ((long)row * HeadStride), shortlist.Length);
            var destination = _logits.AsSpan(row * _tokens.Length);
            var next = 0;
            for (var i = 0; i <= _candidateCount; i++)
            {
                var end = i == _candidateCount ? shortlist.Length : ~shortlist.BinarySearch(_candidates[i]);
                source[next..end].CopyTo(destination[(next + i)..]);
                next = end;
            }
        }
    }

    /// <summary>Computes the head's tile of each candidate. The tile's offset is taken off the output's address.</summary>
    private void PlaceCandidates(int rows, in RowGroups groups)
    {
        foreach (var token in _candidates.AsSpan(0, _candidateCount))
        {
            var (tile, lane) = Math.DivRem(token, TileRows);
            Multiply(_heads.Target.Weights.Head, groups, _headOutput.Floats - (tile * TileRows), HeadStride, tile, tile + 1);
            var at = Tokens.BinarySearch(token);
            for (var row = 0; row < rows; row++)
            {
                _logits[(row * _tokens.Length) + at] = _headOutput.Floats[((long)row * HeadStride) + lane];
            }
        }
    }

    private void Prepare(float* row, int columns, in RowGroups groups, int index) =>
        _heads.Target.ActivationKernel.Prepare(row, columns, _activations.Pointer, groups, index);

    private void Multiply(WeightMatrix weights, in RowGroups groups, float* output, int stride, int start, int end) =>
        _heads.Target.Kernels.Matrix(weights.Format).Multiply(weights, _activations.Pointer, groups, output, stride, start, end);
}
