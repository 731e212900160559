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

    /// <summary><c>hidden += W_o · attention(norm(hidden))</c>.</summary>
    private void Attend(int worker, int layer, LayerWeights weights, ref int barriers)
    {
        var b = _buffers;
        NormAndPrepare(worker, weights.AttentionNorm, _groups, default);
        Barrier(ref barriers);
        MultiplyQueryKeyValue(worker, weights);
        Barrier(ref barriers);
        FinishHeads(worker, layer, weights);
        if (worker == 0)
        {
            _attention.Restart();
        }

        Barrier(ref barriers);
        _attention.Run(_batch, worker, layer, b.Queries, b.Attended, ref barriers);
        Barrier(ref barriers);
        PrepareAttended(worker);
        Barrier(ref barriers);
        MultiplyAndAdd(worker, weights.Output, b.Activations);
        Barrier(ref barriers);
    }

    /// <summary><c>hidden += W_down · (silu(W_gate · norm(hidden)) * W_up · norm(hidden))</c>.</summary>
    private void FeedForward(int worker, LayerWeights weights, ref int barriers)
    {
        NormAndPrepare(worker, weights.FeedForwardNorm, _groups, default);
        Barrier(ref barriers);
        MultiplyGate(worker, weights);
        Barrier(ref barriers);
        MultiplyAndAdd(worker, weights.Down, _buffers.GateActivations);
        Barrier(ref barriers);
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
        NormAndPrepare(worker, _model.Weights.FinalNorm, _headGroups, _batch.LogitRows);
        Barrier(ref barriers);
        var head = _model.Weights.Head;
        for (var share = _shares.Begin(worker, head.TileCount, _batch.LogitRowCount); share.Next();)
        {
            Multiply(head, _buffers.Activations, _headGroups, _buffers.Logits, _buffers.LogitSize, share.Start, share.End);
        }
    }

    /// <summary>Normalises and prepares hidden states.</summary>
    /// <param name="worker">The calling worker.</param>
    /// <param name="norm">The norm's weights.</param>
    /// <param name="groups">Division of the prepared rows.</param>
    /// <param name="rows">The batch's row for each prepared row; empty = the same.</param>
    private void NormAndPrepare(int worker, NativeBuffer norm, in RowGroups groups, ReadOnlySpan<int> rows)
    {
        var (kernel, hiddenSize) = (_model.Kernels.Rows, _model.Config.HiddenSize);
        var normed = _buffers.Normed(worker);
        var parts = new RowParts(groups, hiddenSize, _model.Workers.Count);
        var (startPart, endPart) = Share(worker, parts.Count);
        for (var part = startPart; part < endPart; part++)
        {
            var (startRow, endRow, start, end) = parts[part];
            for (var row = startRow; row < endRow; row++)
            {
                var hidden = _buffers.HiddenRow(rows.IsEmpty ? row : rows[row]);
                var factor = kernel.InverseRms(hidden, hiddenSize, _model.Config.RmsNormEps);
                kernel.Scale(hidden + start, norm.Floats + start, factor, normed + start, end - start);
                _model.ActivationKernel.Prepare(normed, hiddenSize, start, end, _buffers.Activations, groups, row);
            }
        }
    }

    private void PrepareAttended(int worker)
    {
        var columns = _buffers.QuerySize;
        var parts = new RowParts(_groups, columns, _model.Workers.Count);
        var (startPart, endPart) = Share(worker, parts.Count);
        for (var part = startPart; part < endPart; part++)
        {
            var (startRow, endRow, start, end) = parts[part];
            for (var row = startRow; row < endRow; row++)
            {
                var attended = _buffers.Attended + ((long)row * columns);
                _model.ActivationKernel.Prepare(attended, columns, start, end, _buffers.Activations, _groups, row);
            }
        }
    }

    /// <summary>One step for the three matrices: their tiles count as one sequence.</summary>
    private void MultiplyQueryKeyValue(int worker, LayerWeights weights)
    {
        var b = _buffers;
        var (keys, values) = (weights.Query.TileCount, weights.Query.TileCount + weights.Key.TileCount);
        for (var share = _shares.Begin(worker, values + weights.Value.TileCount, _batch.RowCount); share.Next();)
        {
            var (start, end) = (share.Start, share.End);
            Multiply(weights.Query, b.Activations, _groups, b.Queries, b.QuerySize, start, end);
            Multiply(weights.Key, b.Activations, _groups, b.Keys, b.KeySize, start - keys, end - keys);
            Multiply(weights.Value, b.Activations, _groups, b.Values, b.KeySize, start - values, end - values);
        }
    }

    /// <summary>Gate and up projections, <c>silu(gate) * up</c>, and its preparing: each tile's columns from start to end.</summary>
    private void MultiplyGate(int worker, LayerWeights weights)
    {
        var b = _buffers;
        var size = _model.Config.IntermediateSize;
        for (var share = _shares.Begin(worker, weights.Gate.TileCount, _batch.RowCount); share.Next();)
        {
            Multiply(weights.Gate, b.Activations, _groups, b.Gate, size, share.Start, share.End);
            Multiply(weights.Up, b.Activations, _groups, b.Up, size, share.Start, share.End);
            var (start, end) = (share.Start * WeightMatrix.TileRows, share.End * WeightMatrix.TileRows);
            for (var row = 0; row < _batch.RowCount; row++)
            {
                var gate = b.Gate + ((long)row * size);
                _model.Kernels.Rows.SwiGlu(gate + start, b.Up + ((long)row * size) + start, end - start);
                _model.ActivationKernel.Prepare(gate, size, start, end, b.GateActivations, _groups, row);
            }
        }
    }

    /// <summary><c>hidden += weights · activations</c>.</summary>
    private void MultiplyAndAdd(int worker, WeightMatrix weights, byte* activations)
    {
        var size = _model.Config.HiddenSize;
        for (var share = _shares.Begin(worker, weights.TileCount, _batch.RowCount); share.Next();)
        {
            Multiply(weights, activations, _groups, _buffers.Update, size, share.Start, share.End);
            var (start, end) = (share.Start * WeightMatrix.TileRows, share.End * WeightMatrix.TileRows);
            for (var row = 0; row < _batch.RowCount; row++)
            {
                var update = _buffers.Update + ((long)row * size);
                _model.Kernels.Rows.Add(_buffers.HiddenRow(row) + start, update + start, end - start);
            }
        }
    }

    /// <summary>Tiles from <paramref name="start"/> to <paramref name="end"/>, as far as the matrix has them.</summary>
    private void Multiply(
        WeightMatrix weights, byte* activations, in RowGroups groups, float* output, int stride, int start, int end)
    {
        (start, end) = (Math.Max(start, 0), Math.Min(end, weights.TileCount));
        if (start < end)
        {
            _model.Kernels.Matrix(weights.Format).Multiply(weights, activations, groups, output, stride, start, end);
        }
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
