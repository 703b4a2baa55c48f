/** [rows, columns] → [columns, rows]. */
export function turned(matrix: Float32Array, rows: number): Float32Array {
  const columns = matrix.length / rows;
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) result[column * rows + row] = matrix[row * columns + column] ?? 0;
  return result;
}
