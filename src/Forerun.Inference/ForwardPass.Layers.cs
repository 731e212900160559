using Forerun.Inference.Execution;
using Forerun.Inference.Kernels;
using Forerun.Inference.Weights;

namespace Forerun.Inference;

/// <content>What each worker does: rows, tiles or attention items are shared out, with a barrier where one step reads
/// what another worker wrote.</content>
public sealed unsafe partial class ForwardPass
{
    private readonly PassBuffers _buffers;

    private void RunLayersOn(int worker)
    {
        var barriers = 0;
        for (var layer = _layer; layer < _endLayer; layer++)
        {
            var weights = _model.Weights.Layers[layer];
            Attend(worker, layer, weights, ref barriers);
            FeedForward(worker, weights, ref barriers);
        }
    }

    /// <summary><c>hidden += W_o · attention(norm(hidden))</c>, the addition left to the next step.</summary>
    private void Attend(int worker, int layer, LayerWeights weights, ref int barriers)
    {
        var b = _buffers;
        var hiddenSize = _model.Config.HiddenSize;
        var (start, end) = Share(worker, _batch.RowCount);
        for (var row = start; row < end; row++)
        {
            NormAndPrepare(worker, b.HiddenRow(row), weights.AttentionNorm, _groups, row);
        }

        Barrier(ref barriers);
        Multiply(worker, weights.Query, b.Activations, b.Queries, b.QuerySize);
        Multiply(worker, weights.Key, b.Activations, b.Keys, b.KeySize);
        Multiply(worker, weights.Value, b.Activations, b.Values, b.KeySize);
        Barrier(ref barriers);
        FinishHeads(worker, layer, weights);
        if (worker == 0)
        {
            _attention.Restart();
        }

        Barrier(ref barriers);
        _attention.Run(_batch, worker, layer, b.Queries, b.Attended, ref barriers);
        Barrier(ref barriers);
        for (var row = start; row < end; row++)
        {
            Prepare(b.Attended + ((long)row * b.QuerySize), b.QuerySize, b.Activations, _groups, row);
        }

        Barrier(ref barriers);
        Multiply(worker, weights.Output, b.Activations, b.Update, hiddenSize);
        Barrier(ref barriers);
    }

    /// <summary><c>hidden += W_down · (silu(W_gate · norm(hidden)) * W_up · norm(hidden))</c>.</summary>
    private void FeedForward(int worker, LayerWeights weights, ref int barriers)
    {
        var b = _buffers;
        var hiddenSize = _model.Config.HiddenSize;
        var intermediateSize = _model.Config.IntermediateSize;
        var (start, end) = Share(worker, _batch.RowCount);
        for (var row = start; row < end; row++)
        {
            _model.Kernels.Rows.Add(b.HiddenRow(row), b.Update + ((long)row * hiddenSize), hiddenSize);
            NormAndPrepare(worker, b.HiddenRow(row), weights.FeedForwardNorm, _groups, row);
        }

        Barrier(ref barriers);
        Multiply(worker, weights.Gate, b.Activations, b.Gate, intermediateSize);
        Multiply(worker, weights.Up, b.Activations, b.Up, intermediateSize);
        var (tileStart, tileEnd) = Share(worker, weights.Gate.TileCount);
        for (var row = 0; row < _batch.RowCount; row++)
        {
            var first = ((long)row * intermediateSize) + (tileStart * WeightMatrix.TileRows);
            _model.Kernels.Rows.SwiGlu(b.Gate + first, b.Up + first, (tileEnd - tileStart) * WeightMatrix.TileRows);
        }

        Barrier(ref barriers);
        for (var row = start; row < end; row++)
        {
            Prepare(b.Gate + ((long)row * intermediateSize), intermediateSize, b.Activations, _groups, row);
        }

        Barrier(ref barriers);
        Multiply(worker, weights.Down, b.Activations, b.Update, hiddenSize);
        Barrier(ref barriers);
        for (var row = start; row < end; row++)
        {
            _model.Kernels.Rows.Add(b.HiddenRow(row), b.Update + ((long)row * hiddenSize), hiddenSize);
        }
    }

    /// <summary>Adds biases, normalises and rotates queries and keys, scales queries by 1 / sqrt(headDim), and stores
    /// keys and values. A KV head and its queries are one worker's.</summary>
    private void FinishHeads(int worker, int layer, LayerWeights weights)
    {
        var config = _model.Config;
        var (start, end) = Share(worker, _batch.RowCount * config.NumKeyValueHeads);
        var group = config.NumAttentionHeads / config.NumKeyValueHeads;
        var scale = 1f / MathF.Sqrt(config.HeadDim);
        var item = 0;
        foreach (ref readonly var segment in _batch.Segments)
        {
            for (var i = 0; i < segment.RowCount; i++)
            {
                for (var head = 0; head < config.NumKeyValueHeads; head++, item++)
                {
                    if (item < start || item >= end)
                    {
                        continue;
                    }

                    var (row, position) = (segment.FirstRow + i, segment.Position + i);
                    for (var query = head * group; query < (head + 1) * group; query++)
                    {
                        var vector = _buffers.Queries + ((long)row * _buffers.QuerySize) + (query * config.HeadDim);
                        FinishHead(vector, query, row, weights.QueryBias, weights.QueryNorm, scale);
                    }

                    var offset = ((long)row * _buffers.KeySize) + (head * config.HeadDim);
                    FinishHead(_buffers.Keys + offset, head, row, weights.KeyBias, weights.KeyNorm, 1f);
                    AddBias(_buffers.Values + offset, head, weights.ValueBias);
                    _model.KvPool.Layout.Store(
                        segment.Cache.Page(position),
                        layer,
                        head,
                        position % KvPage.Positions,
                        _buffers.Keys + offset,
                        _buffers.Values + offset);
                }
            }
        }
    }

    private void RunHeadOn(int worker)
    {
        var barriers = 0;
        var (start, end) = Share(worker, _batch.LogitRowCount);
        for (var i = start; i < end; i++)
        {
            NormAndPrepare(worker, _buffers.HiddenRow(_batch.LogitRows[i]), _model.Weights.FinalNorm, _headGroups, i);
        }

        Barrier(ref barriers);
        var head = _model.Weights.Head;
        var (tileStart, tileEnd) = Share(worker, head.TileCount);
        _model.Kernels.Matrix(head.Format)
            .Multiply(head, _buffers.Activations, _headGroups, _buffers.Logits, _buffers.LogitSize, tileStart, tileEnd);
    }

    private void NormAndPrepare(int worker, float* row, NativeBuffer norm, in RowGroups groups, int index)
    {
        var hiddenSize = _model.Config.HiddenSize;
        var normed = _buffers.Normed(worker);
        _model.Kernels.Rows.RmsNorm(row, norm.Floats, normed, hiddenSize, _model.Config.RmsNormEps);
        Prepare(normed, hiddenSize, _buffers.Activations, groups, index);
    }

    private void Prepare(float* source, int columns, byte* activations, in RowGroups groups, int row) =>
        _model.ActivationKernel.Prepare(source, columns, activations, groups, row);

    private void Multiply(int worker, WeightMatrix weights, byte* activations, float* output, int stride)
    {
        var (start, end) = Share(worker, weights.TileCount);
        _model.Kernels.Matrix(weights.Format).Multiply(weights, activations, _groups, output, stride, start, end);
    }

    private void FinishHead(float* vector, int head, int row, NativeBuffer? bias, NativeBuffer? norm, float scale)
    {
        AddBias(vector, head, bias);
        var headDim = _model.Config.HeadDim;
        if (norm is not null)
        {
            _model.Kernels.Rows.RmsNorm(vector, norm.Floats, vector, headDim, _model.Config.RmsNormEps);
        }

        var offset = row * (headDim / 2);
        _model.Kernels.Rows.Rotate(vector, _buffers.Cosines + offset, _buffers.Sines + offset, headDim, scale);
    }

    private void AddBias(float* vector, int head, NativeBuffer? bias)
    {
        if (bias is not null)
        {
            var headDim = _model.Config.HeadDim;
            _model.Kernels.Rows.Add(vector, bias.Floats + (head * headDim), headDim);
        }
    }

    private void Barrier(ref int passed) => _model.Workers.Barrier(ref passed);

    private (int Start, int End) Share(int worker, int count)
    {
        var workers = _model.Workers.Count;
        return ((int)((long)count * worker / workers), (int)((long)count * (worker + 1) / workers));
    }
}
