using Forerun.Inference.Execution;
using Forerun.Inference.Weights;

namespace Forerun.Inference;

/// <content>What a head's queries, keys and values still need after their multiplication.</content>
public sealed unsafe partial class ForwardPass
{
    /// <summary>Adds biases, normalises and rotates queries and keys, scales queries by 1 / sqrt(headDim), and stores
    /// keys and values.</summary>
    /// <param name="layer">Layer index.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="start">First head, counted over queries, then keys, then values.</param>
    /// <param name="end">End of the heads.</param>
    private void FinishHeads(int layer, LayerWeights weights, int start, int end)
    {
        var (queries, keyValues) = (_model.Config.NumAttentionHeads, _model.Config.NumKeyValueHeads);
        foreach (ref readonly var segment in _batch.Segments)
        {
            for (var i = 0; i < segment.RowCount; i++)
            {
                for (var head = start; head < end; head++)
                {
                    if (head < queries)
                    {
                        FinishQuery(weights, head, segment.FirstRow + i);
                    }
                    else if (head < queries + keyValues)
                    {
                        FinishKey(layer, weights, head - queries, segment, i);
                    }
                    else
                    {
                        FinishValue(layer, weights, head - queries - keyValues, segment, i);
                    }
                }
            }
        }
    }

    private void FinishQuery(LayerWeights weights, int head, int row)
    {
        var headDim = _model.Config.HeadDim;
        var query = _buffers.Queries + ((long)row * _buffers.QuerySize) + (head * headDim);
        Rotate(query, head, row, weights.QueryBias, weights.QueryNorm, 1f / MathF.Sqrt(headDim));
    }

    private void FinishKey(int layer, LayerWeights weights, int head, in BatchSegment segment, int index)
    {
        var (row, position) = (segment.FirstRow + index, segment.Position + index);
        var key = _buffers.Keys + ((long)row * _buffers.KeySize) + (head * _model.Config.HeadDim);
        Rotate(key, head, row, weights.KeyBias, weights.KeyNorm, 1f);
        _model.KvPool.Layout.StoreKey(
            segment.Cache.Page(position), layer, head, position % KvPage.Positions, key);
    }

    private void FinishValue(int layer, LayerWeights weights, int head, in BatchSegment segment, int index)
    {
        var (row, position) = (segment.FirstRow + index, segment.Position + index);
        var value = _buffers.Values + ((long)row * _buffers.KeySize) + (head * _model.Config.HeadDim);
        AddBias(value, head, weights.ValueBias);
        _model.KvPool.Layout.StoreValue(
            segment.Cache.Page(position), layer, head, position % KvPage.Positions, value);
    }

    private void Rotate(float* vector, int head, int row, NativeBuffer? bias, NativeBuffer? norm, float scale)
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
}
