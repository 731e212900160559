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
        var activations = NormAndPrepare(worker, weights.AttentionNorm, _groups, default, ref barriers);
        MultiplyQueryKeyValue(worker, layer, weights, activations);
        if (worker == 0)
        {
            _attention.Restart();
        }

        Barrier(ref barriers);
        _attention.Run(_batch, worker, layer, b.Queries, b.Attended);
        Barrier(ref barriers);
        PrepareAttended(worker);
        Barrier(ref barriers);
        MultiplyAndAdd(worker, weights.Output, b.Activations);
        Barrier(ref barriers);
    }

    /// <summary><c>hidden += W_down · (silu(W_gate · norm(hidden)) * W_up · norm(hidden))</c>.</summary>
    private void FeedForward(int worker, LayerWeights weights, ref int barriers)
    {
        var activations = NormAndPrepare(worker, weights.FeedForwardNorm, _groups, default, ref barriers);
        MultiplyGate(worker, weights, activations);
        Barrier(ref barriers);
        MultiplyAndAdd(worker, weights.Down, _buffers.GateActivations);
        Barrier(ref barriers);
    }

    private void RunHeadOn(int worker)
    {
        var barriers = 0;
        var activations = NormAndPrepare(
            worker, _model.Weights.FinalNorm, _headGroups, _batch.LogitRows, ref barriers);
        var head = _model.Weights.Head;
        for (var share = _shares.Begin(worker, head.TileCount, _batch.LogitRowCount); share.Next();)
        {
            Multiply(head, activations, _headGroups, _buffers.Logits, _buffers.LogitSize, share.Start, share.End);
        }
    }

    /// <summary>Normalises and prepares hidden states: few rows each worker for itself, many together, with a barrier.
    /// </summary>
    /// <param name="worker">The calling worker.</param>
    /// <param name="norm">The norm's weights.</param>
    /// <param name="groups">Division of the prepared rows.</param>
    /// <param name="rows">The batch's row for each prepared row; empty = the same.</param>
    /// <param name="barriers">The worker's barrier count.</param>
    /// <returns>The prepared rows.</returns>
    private byte* NormAndPrepare(
        int worker, NativeBuffer norm, in RowGroups groups, ReadOnlySpan<int> rows, ref int barriers)
    {
        if (groups.RowCount <= PassBuffers.MaxOwnRows)
        {
            var own = _buffers.OwnActivations(worker);
            NormAndPrepare(worker, norm, groups, rows, (0, groups.RowCount, 0, _model.Config.HiddenSize), own);
            return own;
        }

        var parts = new RowParts(groups, _model.Config.HiddenSize, _model.Workers.Count);
        var (startPart, endPart) = Share(worker, parts.Count);
        for (var part = startPart; part < endPart; part++)
        {
            NormAndPrepare(worker, norm, groups, rows, parts[part], _buffers.Activations);
        }

        Barrier(ref barriers);
        return _buffers.Activations;
    }

    private void NormAndPrepare(
        int worker,
        NativeBuffer norm,
        in RowGroups groups,
        ReadOnlySpan<int> rows,
        (int StartRow, int EndRow, int Start, int End) part,
        byte* activations)
    {
        var (kernel, hiddenSize) = (_model.Kernels.Rows, _model.Config.HiddenSize);
        var (start, end) = (part.Start, part.End);
        var normed = _buffers.Normed(worker);
        for (var row = part.StartRow; row < part.EndRow; row++)
        {
            var hidden = _buffers.HiddenRow(rows.IsEmpty ? row : rows[row]);
            var factor = kernel.InverseRms(hidden, hiddenSize, _model.Config.RmsNormEps);
            kernel.Scale(hidden + start, norm.Floats + start, factor, normed + start, end - start);
            _model.ActivationKernel.Prepare(normed, hiddenSize, start, end, activations, groups, row);
        }
    }

    /// <summary>Finishes and prepares attention's output, divided by heads; two heads are always whole blocks.</summary>
    private void PrepareAttended(int worker)
    {
        var b = _buffers;
        var (heads, headDim) = (_model.Config.NumAttentionHeads, _model.Config.HeadDim);
        var unit = headDim % 32 == 0 ? 1 : 2;
        var (start, end) = Share(worker, heads / unit);
        _attention.Merge(_batch, b.Attended, start * unit, end * unit);
        for (var row = 0; row < _batch.RowCount; row++)
        {
            var attended = b.Attended + ((long)row * b.QuerySize);
            _model.ActivationKernel.Prepare(
                attended, b.QuerySize, start * unit * headDim, end * unit * headDim, b.Activations, _groups, row);
        }
    }

    /// <summary>One step for the three matrices: their tiles count as one sequence, divided between heads. Who has a head's
    /// tiles finishes it.</summary>
    private void MultiplyQueryKeyValue(int worker, int layer, LayerWeights weights, byte* activations)
    {
        var b = _buffers;
        var (keys, values) = (weights.Query.TileCount, weights.Query.TileCount + weights.Key.TileCount);
        var headTiles = _model.Config.HeadDim / WeightMatrix.TileRows;
        var count = values + weights.Value.TileCount;
        for (var share = _shares.Begin(worker, count, _batch.RowCount, headTiles); share.Next();)
        {
            var (start, end) = (share.Start, share.End);
            Multiply(weights.Query, activations, _groups, b.Queries, b.QuerySize, start, end);
            Multiply(weights.Key, activations, _groups, b.Keys, b.KeySize, start - keys, end - keys);
            Multiply(weights.Value, activations, _groups, b.Values, b.KeySize, start - values, end - values);
            FinishHeads(layer, weights, start / headTiles, end / headTiles);
        }
    }

    /// <summary>Gate and up projections, <c>silu(gate) * up</c>, and its preparing: each tile's columns from start to end.</summary>
    private void MultiplyGate(int worker, LayerWeights weights, byte* activations)
    {
        var rows = _batch.RowCount;
        var gates = _buffers.Products(worker);
        for (var share = _shares.Begin(worker, weights.Gate.TileCount, rows, maxTiles: _buffers.MaxTiles(rows)); share.Next();)
        {
            var (start, end) = (share.Start * WeightMatrix.TileRows, share.End * WeightMatrix.TileRows);
            var size = end - start;
            var ups = gates + (rows * size);
            Multiply(weights.Gate, activations, _groups, gates - start, size, share.Start, share.End);
            Multiply(weights.Up, activations, _groups, ups - start, size, share.Start, share.End);
            for (var row = 0; row < rows; row++)
            {
                var gate = gates + (row * size);
                _model.Kernels.Rows.SwiGlu(gate, ups + (row * size), size);
                _model.ActivationKernel.Prepare(
                    gate - start, weights.Gate.Rows, start, end, _buffers.GateActivations, _groups, row);
            }
        }
    }

    /// <summary><c>hidden += weights · activations</c>.</summary>
    private void MultiplyAndAdd(int worker, WeightMatrix weights, byte* activations)
    {
        var rows = _batch.RowCount;
        var updates = _buffers.Products(worker);
        for (var share = _shares.Begin(worker, weights.TileCount, rows, maxTiles: _buffers.MaxTiles(rows)); share.Next();)
        {
            var (start, end) = (share.Start * WeightMatrix.TileRows, share.End * WeightMatrix.TileRows);
            var size = end - start;
            Multiply(weights, activations, _groups, updates - start, size, share.Start, share.End);
            for (var row = 0; row < rows; row++)
            {
                _model.Kernels.Rows.Add(_buffers.HiddenRow(row) + start, updates + (row * size), size);
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

    private void Barrier(ref int passed) => _model.Workers.Barrier(ref passed);

    private (int Start, int End) Share(int worker, int count)
    {
        var workers = _model.Workers.Count;
        return ((int)((long)count * worker / workers), (int)((long)count * (worker + 1) / workers));
    }
}
