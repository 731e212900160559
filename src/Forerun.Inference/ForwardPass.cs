using Forerun.Inference.Execution;
using Forerun.Inference.Kernels;

namespace Forerun.Inference;

/// <summary>The forward pass in stages over a ragged batch: embed, layers [a, b), head. Owns its scratch memory; one
/// caller at a time. Passes of one model share its worker threads and take turns.</summary>
/// <remarks>A row's result is the same bits whatever rows run beside it, on any number of threads and any instruction
/// set: every output element is computed whole by one worker, in one order of additions. After a stage the hidden states
/// of all rows may be looked at. Touvron et al. 2023, arXiv 2302.13971.</remarks>
public sealed unsafe partial class ForwardPass : IDisposable
{
    private readonly LanguageModel _model;
    private readonly AttentionStep _attention;
    private readonly TileShares _shares;
    private readonly Action<int> _layersWork;
    private readonly Action<int> _headWork;
    private ForwardBatch _batch = new();
    private RowGroups _groups;
    private RowGroups _headGroups;
    private int _layer;
    private int _endLayer;
    private bool _headDone;

    internal ForwardPass(LanguageModel model, int maxRows, int maxLogitRows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(maxLogitRows);
        _model = model;
        MaxRows = maxRows;
        MaxLogitRows = maxLogitRows;
        _attention = new AttentionStep(model);
        _shares = new TileShares(model.Workers.Count);
        _buffers = new PassBuffers(model, maxRows, maxLogitRows);
        _layersWork = RunLayersOn;
        _headWork = RunHeadOn;
    }

    /// <summary>Most rows of a batch.</summary>
    public int MaxRows { get; }

    /// <summary>Most rows with logits.</summary>
    public int MaxLogitRows { get; }

    /// <summary>Layers run so far, 0 … NumHiddenLayers.</summary>
    public int LayersRun => _layer;

    /// <summary>Embeds, runs all layers and the head.</summary>
    /// <param name="batch">At least one row; not to be changed until the pass is over.</param>
    public void Run(ForwardBatch batch)
    {
        Begin(batch);
        RunLayers(_model.Config.NumHiddenLayers);
        RunHead();
    }

    /// <summary>Starts a pass: looks up the embeddings. A pass that was begun before and not finished is forgotten.</summary>
    /// <exception cref="ArgumentException">No rows, too many rows, or a token outside the vocabulary.</exception>
    public void Begin(ForwardBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.RowCount == 0 || batch.RowCount > MaxRows || batch.LogitRowCount > MaxLogitRows)
        {
            throw new ArgumentException(
                $"A pass takes 1 to {MaxRows} rows and up to {MaxLogitRows} rows with logits; the batch has {batch.RowCount} and {batch.LogitRowCount}.",
                nameof(batch));
        }

        foreach (ref readonly var segment in batch.Segments)
        {
            segment.ThrowIfStale();
        }

        _batch = batch;
        _groups = new RowGroups(batch.RowCount, _model.Kernels.MaxRows);
        _headGroups = new RowGroups(batch.LogitRowCount, _model.Kernels.MaxRows);
        _attention.Plan(batch);
        Embed(batch);
        _layer = 0;
        _headDone = false;
    }

    /// <summary>Runs layers up to, not including, layer index <paramref name="end"/>. With the last layer the caches
    /// advance.</summary>
    public void RunLayers(int end)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(end, _layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, _model.Config.NumHiddenLayers);
        if (end == _layer)
        {
            return;
        }

        _endLayer = end;
        _model.Workers.Run(_layersWork);
        _layer = end;
        if (end == _model.Config.NumHiddenLayers)
        {
            foreach (ref readonly var segment in _batch.Segments)
            {
                segment.Cache.Advance(segment.RowCount);
            }
        }
    }

    /// <summary>Final norm and LM head of the rows that want logits.</summary>
    /// <exception cref="InvalidOperationException">Layers are missing.</exception>
    public void RunHead()
    {
        if (_layer != _model.Config.NumHiddenLayers)
        {
            throw new InvalidOperationException(
                $"The head needs all {_model.Config.NumHiddenLayers} layers; {_layer} have run. Call RunLayers first.");
        }

        if (_batch.LogitRowCount > 0)
        {
            _model.Workers.Run(_headWork);
        }

        _headDone = true;
    }

    /// <summary>A row's hidden states after the layers run so far, <c>[hiddenSize]</c>; valid until the next stage.</summary>
    public ReadOnlySpan<float> HiddenStates(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)_batch.RowCount, nameof(row));
        return new ReadOnlySpan<float>(_buffers.HiddenRow(row), _model.Config.HiddenSize);
    }

    /// <summary>Logits of the i-th row that wanted them, <c>[vocabSize]</c> or <c>[draftVocabularySize]</c>; valid until
    /// the next pass.</summary>
    public ReadOnlySpan<float> Logits(int logitRow)
    {
        if (!_headDone)
        {
            throw new InvalidOperationException("There are no logits yet: run the head first.");
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)logitRow, (uint)_batch.LogitRowCount, nameof(logitRow));
        return new ReadOnlySpan<float>(_buffers.LogitRow(logitRow), _model.Config.HeadRows);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _attention.Dispose();
        _buffers.Dispose();
    }

    private void Embed(ForwardBatch batch)
    {
        for (var row = 0; row < batch.RowCount; row++)
        {
            var token = batch.Tokens[row];
            if ((uint)token >= (uint)_model.Config.VocabSize)
            {
                throw new ArgumentException(
                    $"Token {token} is outside the vocabulary: expected 0 to {_model.Config.VocabSize - 1}.", nameof(batch));
            }

            _model.Weights.Embed(
                token, _buffers.EmbeddingBytes, new Span<float>(_buffers.HiddenRow(row), _model.Config.HiddenSize));
        }

        var half = _model.Config.HeadDim / 2;
        foreach (ref readonly var segment in batch.Segments)
        {
            for (var i = 0; i < segment.RowCount; i++)
            {
                var offset = (segment.FirstRow + i) * half;
                _model.Rotary.Fill(
                    segment.Position + i,
                    new Span<float>(_buffers.Cosines + offset, half),
                    new Span<float>(_buffers.Sines + offset, half));
            }
        }
    }
}
